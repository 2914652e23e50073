import { endOfString } from '../../read-json.js';

export interface StructureFault {
  readonly kind: 'duplicate-key' | 'too-deep';
  /** Key path of the fault, for example `lm_head.weight.shape`. */
  readonly path: string;
}

/**
 * The first fault of a JSON text that JSON.parse lets pass: a key used twice in one object (JSON.parse keeps the
 * last, so two readers of one file may see different tensors), or nesting beyond `maxDepth` (millions of brackets
 * fit a small file and exhaust the stack of whoever walks them). Null if there is none. Made to run before
 * JSON.parse: for text that is not JSON any answer is right.
 */
export function findStructureFault(json: string, maxDepth: number): StructureFault | null {
  const keysOfLevel: (Set<string> | null)[] = [];
  const path: (string | undefined)[] = [];
  let lastString = '';
  for (let i = 0; i < json.length; i++) {
    switch (json[i]) {
      case '"': {
        const end = endOfString(json, i);
        lastString = json.slice(i, end + 1);
        i = end;
        break;
      }
      case '{':
      case '[':
        if (keysOfLevel.length === maxDepth) return { kind: 'too-deep', path: joined(path) };
        keysOfLevel.push(json[i] === '{' ? new Set() : null);
        path.push(undefined);
        break;
      case '}':
      case ']':
        keysOfLevel.pop();
        path.pop();
        break;
      case ':': {
        const keys = keysOfLevel.at(-1);
        if (keys === undefined || keys === null) break;
        const key = unescaped(lastString);
        path[path.length - 1] = key;
        if (keys.has(key)) return { kind: 'duplicate-key', path: joined(path) };
        keys.add(key);
      }
    }
  }
  return null;
}

function unescaped(literal: string): string {
  if (!literal.includes('\\')) return literal.slice(1, -1);
  try {
    return JSON.parse(literal);
  } catch {
    return literal;
  }
}

function joined(path: readonly (string | undefined)[]): string {
  return path.filter((key) => key !== undefined).join('.');
}
