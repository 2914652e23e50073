export { type FollowedTokenizer, followTransformers, type TokenizerRules } from './follow.js';
export type { TokenizerSources } from './settings.js';
