/**
 * The first object key that occurs twice in the same object of a JSON text, as a path (`weight.shape`), or null.
 * JSON.parse keeps the last of two equal keys without a word, so two readers of one file may see different
 * tensors. The text must be valid JSON.
 */
export function findDuplicateKey(json: string): string | null {
  const keysOfObject: (Set<string> | null)[] = [];
  const path: string[] = [];
  const token = /"(?:[^"\\]|\\.)*"|[{}[\]:]/gs;
  let lastString: string | null = null;
  for (let match = token.exec(json); match !== null; match = token.exec(json)) {
    const text = match[0];
    if (text === '{' || text === '[') {
      keysOfObject.push(text === '{' ? new Set() : null);
    } else if (text === '}' || text === ']') {
      keysOfObject.pop();
      path.length = Math.min(path.length, keysOfObject.length);
    } else if (text === ':') {
      const keys = keysOfObject.at(-1);
      if (keys === undefined || keys === null || lastString === null) continue;
      const key: string = JSON.parse(lastString);
      path.length = Math.min(path.length, keysOfObject.length - 1);
      if (keys.has(key)) return [...path, key].join('.');
      keys.add(key);
      path[keysOfObject.length - 1] = key;
    } else {
      lastString = text;
    }
  }
  return null;
}
