export { loadTokenizer, type Tokenizer, type TokenizerFiles } from './load-tokenizer.js';
export type { TokenizerRules } from './rules/index.js';
