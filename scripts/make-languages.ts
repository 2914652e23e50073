/** What probe.json says about a language: its English name, ISO 15924 script and family. */
const LANGUAGES: Record<string, { name: string; script: string; family: string }> = {
  ar: { name: 'Arabic', script: 'Arab', family: 'Afro-Asiatic' },
  cs: { name: 'Czech', script: 'Latn', family: 'Indo-European' },
  de: { name: 'German', script: 'Latn', family: 'Indo-European' },
  en: { name: 'English', script: 'Latn', family: 'Indo-European' },
  es: { name: 'Spanish', script: 'Latn', family: 'Indo-European' },
  fi: { name: 'Finnish', script: 'Latn', family: 'Uralic' },
  fr: { name: 'French', script: 'Latn', family: 'Indo-European' },
  hi: { name: 'Hindi', script: 'Deva', family: 'Indo-European' },
  id: { name: 'Indonesian', script: 'Latn', family: 'Austronesian' },
  ja: { name: 'Japanese', script: 'Jpan', family: 'Japonic' },
  ko: { name: 'Korean', script: 'Kore', family: 'Koreanic' },
  pl: { name: 'Polish', script: 'Latn', family: 'Indo-European' },
  pt: { name: 'Portuguese', script: 'Latn', family: 'Indo-European' },
  ru: { name: 'Russian', script: 'Cyrl', family: 'Indo-European' },
  sv: { name: 'Swedish', script: 'Latn', family: 'Indo-European' },
  sw: { name: 'Swahili', script: 'Latn', family: 'Niger-Congo' },
  th: { name: 'Thai', script: 'Thai', family: 'Kra-Dai' },
  tr: { name: 'Turkish', script: 'Latn', family: 'Turkic' },
  uk: { name: 'Ukrainian', script: 'Cyrl', family: 'Indo-European' },
  zh: { name: 'Chinese (Simplified)', script: 'Hans', family: 'Sino-Tibetan' },
  'zh-Hant': { name: 'Chinese (Traditional)', script: 'Hant', family: 'Sino-Tibetan' },
};

/** The rows of `probe.json`'s `languages`, in the order asked for. */
export function languageRows(tags: readonly string[]) {
  return tags.map((tag) => {
    const language = LANGUAGES[tag];
    if (language === undefined) throw new Error(`no entry for ${tag} in make-languages.ts`);
    return { tag, ...language };
  });
}
