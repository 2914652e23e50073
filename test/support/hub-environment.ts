import { afterEach, beforeEach, vi } from 'vitest';
import { temporaryFolder } from './temporary-folder.js';

const HUB = ['HF_HUB_CACHE', 'HUGGINGFACE_HUB_CACHE', 'HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN', 'HF_TOKEN_PATH'];
const SWITCHES = ['HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE', 'HF_HUB_DISABLE_IMPLICIT_TOKEN'];
const PROXIES = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY'];

/** Gives each test of a file an empty cache, no token and no proxy. The result is the home folder of the hub's libraries. */
export function emptyCache(): () => string {
  let home = '';
  beforeEach(() => {
    home = temporaryFolder();
    vi.stubEnv('HF_HOME', home);
    for (const name of [...HUB, ...SWITCHES, ...PROXIES, ...PROXIES.map((proxy) => proxy.toLowerCase())])
      vi.stubEnv(name, '');
  });
  afterEach(() => {
    vi.unstubAllEnvs();
  });
  return () => home;
}
