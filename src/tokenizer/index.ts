export { loadTokenizer, type Tokenizer, type TokenizerFiles } from './load-tokenizer.js';
export { type TokenizerRules, VERSIONS as TRANSFORMERS_VERSIONS, type Version } from './rules/index.js';
