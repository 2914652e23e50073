import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Where a Chromium lies on this machine (`BABELSCOPE_CHROMIUM` first), or null, said aloud. */
export function findChromium(): string | null {
  const named = process.env.BABELSCOPE_CHROMIUM;
  const path = named === undefined ? PLACES.find((place) => existsSync(place)) : named;
  if (path !== undefined && existsSync(path)) return path;
  console.warn(
    `skipped: no Chromium (looked for ${named ?? PLACES.join(', ')}); install it or set BABELSCOPE_CHROMIUM`,
  );
  return null;
}

/** Without its own housekeeping traffic, so that every request seen is the page's. */
export function launchChromium(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
    ],
  });
}
