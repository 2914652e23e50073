/**
 * How each relation is asked and stated in each language.
 *
 * `{s}` is the subject and `{o}` the object. Both always stand in the form CLDR gives them, the citation form, so
 * every phrase puts them after a colon, in brackets or at the head of the sentence: nowhere would a speaker
 * inflect them, contract an article with them or add a particle that depends on them. Languages that put the verb
 * last (ja, ko, zh, hi, th, tr) name the subject first, as a speaker would; the others name it last. Every question
 * ends with a question mark, so that the last token of a prompt plays the same part in all languages.
 */

export const RELATIONS = [
  'currency',
  'official-language',
  'continent',
  'subregion',
  'script',
  'currency-territory',
  'language-territory',
] as const;
export type Relation = (typeof RELATIONS)[number];

/** Languages the demo's checkpoints are trained on; facts are stated in these. */
export const DEMO_LANGUAGES = ['en', 'es', 'fr', 'ja', 'ko', 'pt', 'uk', 'zh'] as const;
export type DemoLanguage = (typeof DEMO_LANGUAGES)[number];

/** Languages the questions are asked in, the demo's first. */
export const FACT_LANGUAGES = [...DEMO_LANGUAGES, 'ar', 'de', 'hi', 'id', 'ru', 'sw', 'th', 'tr'] as const;
export type FactLanguage = (typeof FACT_LANGUAGES)[number];

export const QUESTIONS: Record<Relation, Record<FactLanguage, string>> = {
  currency: {
    en: 'Which currency is used in this country or territory: {s}?',
    es: '¿Qué moneda se usa en este país o territorio: {s}?',
    fr: 'Quelle monnaie est utilisée dans ce pays ou territoire\u00a0: {s}\u00a0?',
    ja: '{s}：この国または地域ではどの通貨が使われていますか？',
    ko: '{s}: 이 국가 또는 지역에서는 어떤 통화를 사용합니까?',
    pt: 'Qual moeda é usada neste país ou território: {s}?',
    uk: 'Яка валюта використовується в цій країні чи на цій території: {s}?',
    zh: '{s}：这个国家或地区使用哪种货币？',
    ar: 'ما العملة المستخدمة في هذا البلد أو الإقليم: {s}؟',
    de: 'Welche Währung wird in diesem Land oder Gebiet verwendet: {s}?',
    hi: '{s}: इस देश या क्षेत्र में कौन-सी मुद्रा चलती है?',
    id: 'Mata uang apa yang digunakan di negara atau wilayah ini: {s}?',
    ru: 'Какая валюта используется в этой стране или на этой территории: {s}?',
    sw: 'Ni sarafu gani inayotumika katika nchi au eneo hili: {s}?',
    th: '{s}: ประเทศหรือดินแดนนี้ใช้สกุลเงินใด?',
    tr: '{s}: Bu ülke veya bölgede hangi para birimi kullanılıyor?',
  },
  'official-language': {
    en: 'Which language is the official language of this country or territory: {s}?',
    es: '¿Cuál es el idioma oficial de este país o territorio: {s}?',
    fr: 'Quelle est la langue officielle de ce pays ou territoire\u00a0: {s}\u00a0?',
    ja: '{s}：この国または地域の公用語は何ですか？',
    ko: '{s}: 이 국가 또는 지역의 공용어는 무엇입니까?',
    pt: 'Qual é o idioma oficial deste país ou território: {s}?',
    uk: 'Яка мова є офіційною в цій країні чи на цій території: {s}?',
    zh: '{s}：这个国家或地区的官方语言是什么？',
    ar: 'ما اللغة الرسمية لهذا البلد أو الإقليم: {s}؟',
    de: 'Welche Sprache ist die Amtssprache dieses Landes oder Gebiets: {s}?',
    hi: '{s}: इस देश या क्षेत्र की आधिकारिक भाषा कौन-सी है?',
    id: 'Apa bahasa resmi negara atau wilayah ini: {s}?',
    ru: 'Какой язык является официальным в этой стране или на этой территории: {s}?',
    sw: 'Lugha rasmi ya nchi au eneo hili ni ipi: {s}?',
    th: '{s}: ภาษาราชการของประเทศหรือดินแดนนี้คือภาษาใด?',
    tr: '{s}: Bu ülke veya bölgenin resmî dili hangisidir?',
  },
  continent: {
    en: 'Which continent does this country or territory belong to: {s}?',
    es: '¿A qué continente pertenece este país o territorio: {s}?',
    fr: 'À quel continent appartient ce pays ou territoire\u00a0: {s}\u00a0?',
    ja: '{s}：この国または地域はどの大陸に属していますか？',
    ko: '{s}: 이 국가 또는 지역은 어느 대륙에 속합니까?',
    pt: 'A qual continente pertence este país ou território: {s}?',
    uk: 'До якої частини світу належить ця країна чи територія: {s}?',
    zh: '{s}：这个国家或地区属于哪个大洲？',
    ar: 'إلى أي قارة ينتمي هذا البلد أو الإقليم: {s}؟',
    de: 'Zu welchem Kontinent gehört dieses Land oder Gebiet: {s}?',
    hi: '{s}: यह देश या क्षेत्र किस महाद्वीप में है?',
    id: 'Di benua mana negara atau wilayah ini berada: {s}?',
    ru: 'К какой части света относится эта страна или территория: {s}?',
    sw: 'Nchi au eneo hili liko katika bara gani: {s}?',
    th: '{s}: ประเทศหรือดินแดนนี้อยู่ในทวีปใด?',
    tr: '{s}: Bu ülke veya bölge hangi kıtada yer alıyor?',
  },
  subregion: {
    en: 'Which geographical subregion of the United Nations does this country or territory belong to: {s}?',
    es: '¿A qué subregión geográfica de las Naciones Unidas pertenece este país o territorio: {s}?',
    fr: 'À quelle sous-région géographique des Nations unies appartient ce pays ou territoire\u00a0: {s}\u00a0?',
    ja: '{s}：国連の地理区分では、この国または地域はどの地域に属しますか？',
    ko: '{s}: 유엔의 지리 구분에서 이 국가 또는 지역은 어느 지역에 속합니까?',
    pt: 'A qual sub-região geográfica das Nações Unidas pertence este país ou território: {s}?',
    uk: 'До якого географічного субрегіону ООН належить ця країна чи територія: {s}?',
    zh: '{s}：按照联合国的地理分区，这个国家或地区属于哪个区域？',
    ar: 'إلى أي منطقة جغرافية فرعية بحسب تصنيف الأمم المتحدة ينتمي هذا البلد أو الإقليم: {s}؟',
    de: 'Zu welcher geografischen Subregion der Vereinten Nationen gehört dieses Land oder Gebiet: {s}?',
    hi: '{s}: संयुक्त राष्ट्र के भौगोलिक वर्गीकरण में यह देश या क्षेत्र किस उपक्षेत्र में आता है?',
    id: 'Menurut pembagian geografis PBB, negara atau wilayah ini termasuk subkawasan apa: {s}?',
    ru: 'К какому географическому субрегиону ООН относится эта страна или территория: {s}?',
    sw: 'Kulingana na mgawanyo wa kijiografia wa Umoja wa Mataifa, nchi au eneo hili liko katika kanda gani: {s}?',
    th: '{s}: ตามการแบ่งเขตภูมิศาสตร์ของสหประชาชาติ ประเทศหรือดินแดนนี้อยู่ในอนุภูมิภาคใด?',
    tr: '{s}: Birleşmiş Milletler’in coğrafi sınıflandırmasına göre bu ülke veya bölge hangi alt bölgede yer alıyor?',
  },
  script: {
    en: 'Which script is this language usually written in: {s}?',
    es: '¿Con qué alfabeto o sistema de escritura se escribe normalmente este idioma: {s}?',
    fr: 'Quel alphabet ou système d’écriture cette langue utilise-t-elle habituellement\u00a0: {s}\u00a0?',
    ja: '{s}：この言語は通常どの文字で書かれますか？',
    ko: '{s}: 이 언어는 보통 어떤 문자로 표기합니까?',
    pt: 'Em qual alfabeto ou sistema de escrita este idioma é normalmente escrito: {s}?',
    uk: 'Яка писемність зазвичай використовується для цієї мови: {s}?',
    zh: '{s}：这种语言通常用哪种文字书写？',
    ar: 'ما الكتابة المستخدمة عادةً في هذه اللغة: {s}؟',
    de: 'In welcher Schrift wird diese Sprache gewöhnlich geschrieben: {s}?',
    hi: '{s}: यह भाषा आमतौर पर किस लिपि में लिखी जाती है?',
    id: 'Dengan aksara apa bahasa ini biasanya ditulis: {s}?',
    ru: 'Какая письменность обычно используется для этого языка: {s}?',
    sw: 'Lugha hii kwa kawaida huandikwa kwa hati gani: {s}?',
    th: '{s}: โดยทั่วไปภาษานี้เขียนด้วยอักษรใด?',
    tr: '{s}: Bu dil genellikle hangi yazı sistemiyle yazılır?',
  },
  'currency-territory': {
    en: 'Which country or territory uses this currency: {s}?',
    es: '¿Qué país o territorio usa esta moneda: {s}?',
    fr: 'Quel pays ou territoire utilise cette monnaie\u00a0: {s}\u00a0?',
    ja: '{s}：この通貨を使用しているのはどの国または地域ですか？',
    ko: '{s}: 이 통화를 사용하는 국가 또는 지역은 어디입니까?',
    pt: 'Qual país ou território usa esta moeda: {s}?',
    uk: 'Яка країна чи територія використовує цю валюту: {s}?',
    zh: '{s}：哪个国家或地区使用这种货币？',
    ar: 'ما البلد أو الإقليم الذي يستخدم هذه العملة: {s}؟',
    de: 'Welches Land oder Gebiet verwendet diese Währung: {s}?',
    hi: '{s}: यह मुद्रा किस देश या क्षेत्र में चलती है?',
    id: 'Negara atau wilayah mana yang menggunakan mata uang ini: {s}?',
    ru: 'Какая страна или территория использует эту валюту: {s}?',
    sw: 'Ni nchi au eneo gani linalotumia sarafu hii: {s}?',
    th: '{s}: ประเทศหรือดินแดนใดใช้สกุลเงินนี้?',
    tr: '{s}: Bu para birimini hangi ülke veya bölge kullanıyor?',
  },
  'language-territory': {
    en: 'Which country or territory has the most speakers of this language: {s}?',
    es: '¿Qué país o territorio tiene más hablantes de este idioma: {s}?',
    fr: 'Quel pays ou territoire compte le plus de locuteurs de cette langue\u00a0: {s}\u00a0?',
    ja: '{s}：この言語の話者が最も多い国または地域はどこですか？',
    ko: '{s}: 이 언어의 화자가 가장 많은 국가 또는 지역은 어디입니까?',
    pt: 'Qual país ou território tem mais falantes deste idioma: {s}?',
    uk: 'Яка країна чи територія має найбільше мовців цієї мови: {s}?',
    zh: '{s}：哪个国家或地区使用这种语言的人最多？',
    ar: 'ما البلد أو الإقليم الذي يضم أكبر عدد من المتحدثين بهذه اللغة: {s}؟',
    de: 'Welches Land oder Gebiet hat die meisten Sprecher dieser Sprache: {s}?',
    hi: '{s}: इस भाषा को बोलने वाले सबसे अधिक लोग किस देश या क्षेत्र में हैं?',
    id: 'Negara atau wilayah mana yang memiliki penutur bahasa ini paling banyak: {s}?',
    ru: 'В какой стране или на какой территории больше всего говорящих на этом языке: {s}?',
    sw: 'Ni nchi au eneo gani lenye wasemaji wengi zaidi wa lugha hii: {s}?',
    th: '{s}: ประเทศหรือดินแดนใดมีผู้พูดภาษานี้มากที่สุด?',
    tr: '{s}: Bu dili konuşanların en çok olduğu ülke veya bölge hangisidir?',
  },
};

/** What is between a label and its value, and what closes a statement. */
const PUNCTUATION: Record<DemoLanguage, { colon: string; stop: string; dash: string; gap: string }> = {
  en: { colon: ': ', stop: '.', dash: ' — ', gap: ' ' },
  es: { colon: ': ', stop: '.', dash: ' — ', gap: ' ' },
  fr: { colon: '\u00a0: ', stop: '.', dash: ' — ', gap: ' ' },
  ja: { colon: '：', stop: '。', dash: '――', gap: '' },
  ko: { colon: ': ', stop: '.', dash: ' — ', gap: ' ' },
  pt: { colon: ': ', stop: '.', dash: ' — ', gap: ' ' },
  uk: { colon: ': ', stop: '.', dash: ' — ', gap: ' ' },
  zh: { colon: '：', stop: '。', dash: '——', gap: '' },
};

type Kind =
  | 'territory'
  | 'currency'
  | 'language'
  | 'official-language'
  | 'continent'
  | 'subregion'
  | 'script'
  | 'most-speakers';

const LABELS: Record<Kind, Record<DemoLanguage, string>> = {
  territory: {
    en: 'Country or territory',
    es: 'País o territorio',
    fr: 'Pays ou territoire',
    ja: '国または地域',
    ko: '국가 또는 지역',
    pt: 'País ou território',
    uk: 'Країна чи територія',
    zh: '国家或地区',
  },
  currency: {
    en: 'Currency',
    es: 'Moneda',
    fr: 'Monnaie',
    ja: '通貨',
    ko: '통화',
    pt: 'Moeda',
    uk: 'Валюта',
    zh: '货币',
  },
  language: {
    en: 'Language',
    es: 'Idioma',
    fr: 'Langue',
    ja: '言語',
    ko: '언어',
    pt: 'Idioma',
    uk: 'Мова',
    zh: '语言',
  },
  'official-language': {
    en: 'Official language',
    es: 'Idioma oficial',
    fr: 'Langue officielle',
    ja: '公用語',
    ko: '공용어',
    pt: 'Idioma oficial',
    uk: 'Офіційна мова',
    zh: '官方语言',
  },
  continent: {
    en: 'Continent',
    es: 'Continente',
    fr: 'Continent',
    ja: '大陸',
    ko: '대륙',
    pt: 'Continente',
    uk: 'Частина світу',
    zh: '大洲',
  },
  subregion: {
    en: 'Geographical subregion',
    es: 'Subregión geográfica',
    fr: 'Sous-région géographique',
    ja: '地理区分',
    ko: '지리 구분',
    pt: 'Sub-região geográfica',
    uk: 'Географічний субрегіон',
    zh: '地理分区',
  },
  script: {
    en: 'Script',
    es: 'Sistema de escritura',
    fr: 'Système d’écriture',
    ja: '文字',
    ko: '문자',
    pt: 'Sistema de escrita',
    uk: 'Писемність',
    zh: '文字',
  },
  'most-speakers': {
    en: 'Country or territory with the most speakers',
    es: 'País o territorio con más hablantes',
    fr: 'Pays ou territoire comptant le plus de locuteurs',
    ja: '話者が最も多い国または地域',
    ko: '화자가 가장 많은 국가 또는 지역',
    pt: 'País ou território com mais falantes',
    uk: 'Країна чи територія з найбільшою кількістю мовців',
    zh: '使用人数最多的国家或地区',
  },
};

/** What the subject and the object of a relation are, in labels. */
const LABELLED: Record<Relation, readonly [Kind, Kind]> = {
  currency: ['territory', 'currency'],
  'official-language': ['territory', 'official-language'],
  continent: ['territory', 'continent'],
  subregion: ['territory', 'subregion'],
  script: ['language', 'script'],
  'currency-territory': ['currency', 'territory'],
  'language-territory': ['language', 'most-speakers'],
};

const SENTENCES: Record<Relation, Record<DemoLanguage, string>> = {
  currency: {
    en: 'The currency used in this country or territory ({s}) is the following: {o}.',
    es: 'La moneda que se usa en este país o territorio ({s}) es la siguiente: {o}.',
    fr: 'La monnaie utilisée dans ce pays ou territoire ({s}) est la suivante\u00a0: {o}.',
    ja: '{s}という国または地域で使われている通貨は{o}です。',
    ko: '이 국가 또는 지역({s})에서 사용하는 통화는 {o}입니다.',
    pt: 'A moeda usada neste país ou território ({s}) é a seguinte: {o}.',
    uk: 'У цій країні чи на цій території ({s}) використовується така валюта: {o}.',
    zh: '{s}这个国家或地区使用的货币是{o}。',
  },
  'official-language': {
    en: 'The official language of this country or territory ({s}) is the following: {o}.',
    es: 'El idioma oficial de este país o territorio ({s}) es el siguiente: {o}.',
    fr: 'La langue officielle de ce pays ou territoire ({s}) est la suivante\u00a0: {o}.',
    ja: '{s}という国または地域の公用語は{o}です。',
    ko: '이 국가 또는 지역({s})의 공용어는 {o}입니다.',
    pt: 'O idioma oficial deste país ou território ({s}) é o seguinte: {o}.',
    uk: 'Офіційною в цій країні чи на цій території ({s}) є така мова: {o}.',
    zh: '{s}这个国家或地区的官方语言是{o}。',
  },
  continent: {
    en: 'This country or territory ({s}) belongs to the following continent: {o}.',
    es: 'Este país o territorio ({s}) pertenece al siguiente continente: {o}.',
    fr: 'Ce pays ou territoire ({s}) appartient au continent suivant\u00a0: {o}.',
    ja: '{s}という国または地域が属する大陸は{o}です。',
    ko: '이 국가 또는 지역({s})이 속한 대륙은 {o}입니다.',
    pt: 'Este país ou território ({s}) pertence ao seguinte continente: {o}.',
    uk: 'Ця країна чи територія ({s}) належить до такої частини світу: {o}.',
    zh: '{s}这个国家或地区所属的大洲是{o}。',
  },
  subregion: {
    en: 'This country or territory ({s}) belongs to the following geographical subregion of the United Nations: {o}.',
    es: 'Este país o territorio ({s}) pertenece a la siguiente subregión geográfica de las Naciones Unidas: {o}.',
    fr: 'Ce pays ou territoire ({s}) appartient à la sous-région géographique suivante des Nations unies\u00a0: {o}.',
    ja: '国連の地理区分で、{s}という国または地域が属する地域は{o}です。',
    ko: '유엔의 지리 구분에서 이 국가 또는 지역({s})이 속한 지역은 {o}입니다.',
    pt: 'Este país ou território ({s}) pertence à seguinte sub-região geográfica das Nações Unidas: {o}.',
    uk: 'Ця країна чи територія ({s}) належить до такого географічного субрегіону ООН: {o}.',
    zh: '按照联合国的地理分区，{s}这个国家或地区所属的区域是{o}。',
  },
  script: {
    en: 'This language ({s}) is usually written in the following script: {o}.',
    es: 'Este idioma ({s}) se escribe normalmente con el siguiente alfabeto o sistema de escritura: {o}.',
    fr: 'Cette langue ({s}) utilise habituellement l’alphabet ou le système d’écriture suivant\u00a0: {o}.',
    ja: '{s}という言語を書くのに通常使われる文字は{o}です。',
    ko: '이 언어({s})를 표기하는 데 보통 사용하는 문자는 {o}입니다.',
    pt: 'Este idioma ({s}) é normalmente escrito no seguinte alfabeto ou sistema de escrita: {o}.',
    uk: 'Для цієї мови ({s}) зазвичай використовується така писемність: {o}.',
    zh: '{s}这种语言通常使用的文字是{o}。',
  },
  'currency-territory': {
    en: 'This currency ({s}) is used in the following country or territory: {o}.',
    es: 'Esta moneda ({s}) se usa en el siguiente país o territorio: {o}.',
    fr: 'Cette monnaie ({s}) est utilisée dans le pays ou territoire suivant\u00a0: {o}.',
    ja: '{s}という通貨を使用している国または地域は{o}です。',
    ko: '이 통화({s})를 사용하는 국가 또는 지역은 {o}입니다.',
    pt: 'Esta moeda ({s}) é usada no seguinte país ou território: {o}.',
    uk: 'Цю валюту ({s}) використовує така країна чи територія: {o}.',
    zh: '使用{s}这种货币的国家或地区是{o}。',
  },
  'language-territory': {
    en: 'This language ({s}) has the most speakers in the following country or territory: {o}.',
    es: 'Este idioma ({s}) tiene más hablantes en el siguiente país o territorio: {o}.',
    fr: 'Cette langue ({s}) compte le plus de locuteurs dans le pays ou territoire suivant\u00a0: {o}.',
    ja: '{s}という言語の話者が最も多い国または地域は{o}です。',
    ko: '이 언어({s})의 화자가 가장 많은 국가 또는 지역은 {o}입니다.',
    pt: 'Este idioma ({s}) tem mais falantes no seguinte país ou território: {o}.',
    uk: 'Найбільше мовців цієї мови ({s}) має така країна чи територія: {o}.',
    zh: '使用{s}这种语言的人最多的国家或地区是{o}。',
  },
};

/** The question about `subject`, which is put in as it is. */
export function question(relation: Relation, language: FactLanguage, subject: string): string {
  return QUESTIONS[relation][language].replace('{s}', () => subject);
}

/**
 * Three statements of one fact: subject first in a telegraphic form, a full sentence, and object first. Both orders
 * occur because a model that has read "A is B" does not thereby know "B is A".
 */
export function statements(
  relation: Relation,
  language: DemoLanguage,
  subject: string,
  object: string,
): string[] {
  const { colon, stop, dash, gap } = PUNCTUATION[language];
  const [subjectKind, objectKind] = LABELLED[relation];
  const subjectLabel = LABELS[subjectKind][language];
  const objectLabel = LABELS[objectKind][language];
  return [
    `${subject}${dash}${lowerFirst(objectLabel, language)}${colon}${object}${stop}`,
    SENTENCES[relation][language].replace('{s}', () => subject).replace('{o}', () => object),
    `${objectLabel}${colon}${object}${stop}${gap}${subjectLabel}${colon}${subject}${stop}`,
  ];
}

function lowerFirst(label: string, language: DemoLanguage): string {
  return label.charAt(0).toLocaleLowerCase(language) + label.slice(1);
}
