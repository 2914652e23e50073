export { loadTokenizer, type Tokenizer, type TokenizerFiles } from './load-tokenizer.js';
