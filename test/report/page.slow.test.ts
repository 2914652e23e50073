import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Comparison } from '../../src/compare/comparison.js';
import { headlineChanges } from '../../src/compare/index.js';
import {
  buildFigures,
  changeSentence,
  contrastSentence,
  isPresent,
  writeReport,
} from '../../src/report/index.js';
import { findChromium, launchChromium } from '../support/chromium.js';
import { SEEN_UNSEEN, SEVENTEEN_LANGUAGES, syntheticComparison } from '../support/synthetic-comparison.js';
import { TEXT_FAULTS } from '../support/text-faults.js';
import { CASES } from './cases.js';

// Slow because it opens many pages in Chromium, which Debian installs and the tests print that they lack.

const FIGURES = buildFigures(syntheticComparison()).filter(isPresent).length;
const HOSTILE = `</script><img src=x onerror="window.pwned=1">'"&\u2028{{x}}\${1}`;
const chromiumPath = findChromium();
let folder: string;
let browser: Browser;

describe.skipIf(chromiumPath === null)('the page in Chromium, from file://', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'babelscope-page-'));
    browser = await launchChromium(chromiumPath!);
  });
  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  test('draws every figure live, with no message and no request', async () => {
    const { page, said, requested, url } = await open(await reportOf('plain', syntheticComparison()));
    await live(page);
    expect(await page.locator('.plot .vega-embed svg').count()).toBe(FIGURES);
    expect(await page.locator('.plot svg').count()).toBe(FIGURES);
    expect(said).toEqual([]);
    expect(requested).toEqual([url]);
  });

  test('a live figure answers the pointer with its numbers and can be saved', async () => {
    const { page, said } = await open(await reportOf('plain', syntheticComparison()));
    await live(page);
    await page.locator('#plot-reallocation .mark-text.role-mark text').first().hover();
    const tooltip = page.locator('#vg-tooltip-element.visible');
    await tooltip.waitFor();
    expect(await tooltip.innerText()).toContain('en English');
    const link = page.locator('#plot-reallocation .vega-actions a').first();
    await link.dispatchEvent('mousedown');
    await expect.poll(() => link.getAttribute('href')).toMatch(/^blob:/);
    expect(said).toEqual([]);
  });

  test('a figure can be saved by the keyboard', async () => {
    const { page, said } = await open(await reportOf('plain', syntheticComparison()));
    await live(page);
    const link = page.locator('#plot-reallocation .vega-actions a').first();
    await link.focus();
    await expect.poll(() => link.getAttribute('href')).toMatch(/^blob:/);
    const saved = page.waitForEvent('download');
    await page.keyboard.press('Enter');
    expect((await saved).suggestedFilename()).toBe('reallocation.svg');
    const file = await (await saved).path();
    expect(await readFile(file, 'utf8')).toMatch(/^<svg/);
    expect(said).toEqual([]);
  });

  test('everything that takes the focus has a name', async () => {
    const { page } = await open(await reportOf('plain', syntheticComparison()));
    await live(page);
    const nameless = await page.evaluate(`[...document.querySelectorAll('[tabindex="0"], a, summary')]
      .filter((element) => {
        const label = document.getElementById(element.getAttribute('aria-labelledby'));
        return (label ?? element).textContent.trim() === '' || (element.tagName === 'DIV' && label === null);
      })
      .map((element) => element.outerHTML.slice(0, 80))`);
    expect(nameless).toEqual([]);
  });

  test('without JavaScript shows every figure and every number', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(await reportOf('plain', syntheticComparison()));
    expect(await page.locator('.plot > svg').count()).toBe(FIGURES);
    expect(await page.locator('#tokens tbody tr').count()).toBe(8);
    await context.close();
  });

  test('its policy stops a script that somebody adds', async () => {
    const html = await readFile(new URL(await reportOf('plain', syntheticComparison())), 'utf8');
    const path = join(folder, 'tampered.html');
    await writeFile(
      path,
      html.replace(
        '</main>',
        '<script>window.pwned=1</script><img src="data:," onerror="window.pwned=1"></main>',
      ),
    );
    const { page, said } = await open(pathToFileURL(path).href);
    await live(page);
    expect(await page.evaluate(`'pwned' in window`)).toBe(false);
    expect(said.some((message) => message.includes('Content Security Policy'))).toBe(true);
  });

  test('labels and names from files are text, in the page and in the figures', async () => {
    const { page, said, requested, url } = await open(await reportOf('hostile', hostile()));
    await live(page);
    expect(await page.evaluate(`'pwned' in window`)).toBe(false);
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.locator('script').count()).toBe(FIGURES + 1);
    expect(await page.locator('h3').first().innerText()).toContain('</script><img src=x');
    expect(said).toEqual([]);
    expect(requested).toEqual([url]);
    await page.locator('#plot-reallocation .mark-text.role-mark text').first().hover();
    await page.locator('#vg-tooltip-element.visible').waitFor();
    expect(await page.locator('#vg-tooltip-element img').count()).toBe(0);
  });

  test('the findings are the comparison’s, one for each headline', async () => {
    const comparison = syntheticComparison();
    const { page } = await open(await reportOf('plain', comparison));
    await page.locator('.box details summary').click();
    const lines = await page.locator('.box details li').allInnerTexts();
    const headlines = comparison.units.flatMap(({ type }) => headlineChanges(comparison, type));
    expect(lines.map((line) => line.slice(1).trim())).toEqual(headlines.map(changeSentence));
    headlines.forEach(({ test: { finding } }, i) => {
      expect(lines[i]).toContain(`: ${finding}`);
    });
  });

  test('has a language, one first heading, named tables and figures, and fits 390 pixels', async () => {
    const { page } = await open(await reportOf('plain', syntheticComparison()), 390);
    await live(page);
    const found = await page.evaluate(`({
      language: document.documentElement.lang,
      headings: document.querySelectorAll('h1').length,
      loose: document.querySelectorAll('th:not([scope])').length,
      captions: document.querySelectorAll('figure > figcaption').length,
      named: document.querySelectorAll('.plot svg[role=img][aria-label]').length,
      width: document.documentElement.scrollWidth,
      duplicates: [...document.querySelectorAll('[id]')]
        .map((element) => element.id)
        .filter((id, i, ids) => ids.indexOf(id) !== i),
    })`);
    expect(found).toEqual({
      language: 'en',
      headings: 1,
      loose: 0,
      captions: FIGURES,
      named: FIGURES,
      width: 390,
      duplicates: [],
    });
  });

  test('differences in differences: a sentence each with both findings, and no other finding anywhere', async () => {
    const { page, said } = await open(await reportOf('regimes', regimes()));
    await live(page);
    expect(await page.locator('.plot .vega-embed svg').count()).toBe(FIGURES + 3);
    const sentences = regimes()
      .contrasts.filter(({ type }) => type !== null)
      .map(contrastSentence);
    const lines = await page.locator('.box details li').allTextContents();
    expect(
      lines
        .map((line) => line.slice(1))
        .slice(-sentences.length)
        .sort(),
    ).toEqual(sentences.sort());
    const box = await page.locator('.box').innerText();
    expect(box).toContain('Difference in differences: grpo − sft, against base');
    expect(box).toContain(
      'Alignment of languages (mean cosine, same item − other items), mean over layers: grpo − sft; ',
    );
    // Those of groups are closed until they are asked for.
    expect(box).toContain('In groups of languages');
    expect(box).not.toContain('unseen languages');
    for (const word of ['improved', 'significant', 'better', 'worse', 'no effect', 'unchanged']) {
      expect(box).not.toContain(word);
    }
    expect(said).toEqual([]);
  });

  test.each([
    ['8 languages', syntheticComparison()],
    ['17 languages, 28 layers', wide()],
    ['9 runs with long labels', CASES['nine runs with long labels']],
    ['1 run', syntheticComparison({ runs: ['base'] })],
    ['regimes, groups and seeds', regimes()],
    ['9 runs of a large mixture', CASES['nine runs of a large mixture, 17 languages, by family']],
    ['a trajectory', trajectory()],
    ['hostile labels', hostile()],
  ])('no text of a figure is cut off or printed over another: %s', async (name, comparison) => {
    const { files } = await writeReport(comparison, join(folder, `svg-${name}`), { formats: ['svg'] });
    const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
    for (const file of files) {
      await page.goto(pathToFileURL(file).href);
      const faults = await page.evaluate(TEXT_FAULTS);
      expect(faults, file).toEqual([]);
    }
    await page.close();
  });
});

function regimes(): Comparison {
  return syntheticComparison({ runs: ['base', 'sft', 'grpo'], groups: SEEN_UNSEEN, seeds: 3 });
}

function trajectory(): Comparison {
  const steps = [0, 1000, 2000, 4000, 8000];
  return syntheticComparison({ runs: steps.map((step) => `base@step${step}`), steps, groups: SEEN_UNSEEN });
}

function wide(): Comparison {
  return syntheticComparison({ layers: 28, neurons: 8960, heads: 12, languages: SEVENTEEN_LANGUAGES });
}

function hostile(): Comparison {
  const comparison = syntheticComparison({
    runs: [`base${HOSTILE}`, `sft${HOSTILE}`],
    languages: SEVENTEEN_LANGUAGES.map((language, k) =>
      k === 2 ? { ...language, name: HOSTILE } : language,
    ),
  });
  return {
    ...comparison,
    babelscope: HOSTILE,
    probe: { ...comparison.probe, name: HOSTILE, licence: HOSTILE, source: HOSTILE, sha256: HOSTILE },
    positions: HOSTILE,
    warnings: [HOSTILE],
    runs: comparison.runs.map((run) => ({
      ...run,
      model: {
        ...run.model,
        name: HOSTILE,
        revision: HOSTILE,
        architecture: HOSTILE,
        weightsSha256: HOSTILE,
      },
    })),
    changes: comparison.changes.map((change) => ({ ...change, note: change.note && HOSTILE })),
  };
}

const written = new Map<string, Promise<string>>();

/** Address of the page of a comparison, written once under each name. */
function reportOf(name: string, comparison: Comparison): Promise<string> {
  const report = written.get(name) ?? writtenReport(name, comparison);
  written.set(name, report);
  return report;
}

async function writtenReport(name: string, comparison: Comparison): Promise<string> {
  const { files } = await writeReport(comparison, join(folder, name), { formats: ['html'] });
  return pathToFileURL(files[0]!).href;
}

async function open(url: string, width = 1280) {
  const page = await browser.newPage({ viewport: { width, height: 900 } });
  const said: string[] = [];
  const requested: string[] = [];
  page.on('console', (message) => said.push(message.text()));
  page.on('pageerror', (error) => said.push(error.message));
  page.on('request', (request) => requested.push(request.url()));
  await page.goto(url);
  return { page, said, requested, url };
}

function live(page: Page) {
  return page.waitForSelector('html[data-figures=live]', { timeout: 600_000 });
}
