export {
  type FollowedTokenizer,
  followTransformers,
  type TokenizerRules,
  VERSIONS,
  type Version,
} from './follow.js';
export type { TokenizerSources } from './settings.js';
