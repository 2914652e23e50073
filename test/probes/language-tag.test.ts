import { describe, expect, it } from 'vitest';
import { canonicalLanguage } from '../../src/probes/languages/language-tag.js';

describe('canonicalLanguage', () => {
  it('is the canonical BCP 47 form', () => {
    expect(canonicalLanguage('zh-hant', 'here')).toBe('zh-Hant');
    expect(canonicalLanguage('EN', 'here')).toBe('en');
    expect(canonicalLanguage('pt-br', 'here')).toBe('pt-BR');
    expect(canonicalLanguage('iw', 'here')).toBe('he');
  });

  it.each(['taq', 'fuv', 'quy', 'kbp'])('knows %s, which CLDR places without naming it', (tag) => {
    expect(canonicalLanguage(tag, 'here')).toBe(tag);
  });

  it.each([
    ['xx', 'no such language'],
    ['qaa', 'for private use'],
    ['und', 'undetermined'],
    ['mul', 'several languages'],
    ['zxx', 'no linguistic content'],
    ['english', 'a name'],
    ['', 'empty'],
    ['en-', 'cut off'],
    ['zh-Abcd', 'no such script'],
    ['en-XQ', 'no such region'],
  ])('refuses %j: %s', (tag) => {
    expect(() => canonicalLanguage(tag, 'probe.json: languages.3.tag')).toThrow(
      expect.objectContaining({
        name: 'ProbeError',
        exitCode: 2,
        message: expect.stringContaining(`probe.json: languages.3.tag: "${tag}" is no known language tag`),
      }),
    );
  });

  it('offers the hyphenated form of an underscored tag', () => {
    expect(() => canonicalLanguage('zh_hant', 'here')).toThrow(/remedy: +write zh-Hant/);
  });
});
