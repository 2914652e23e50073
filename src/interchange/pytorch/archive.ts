import { type UnzipFileInfo, unzipSync } from 'fflate';
import { ImportError, messageOf } from '../../errors.js';
import { readWholeFile } from '../../read-file.js';

/** Counts of 80 layers of 28,672 neurons have 18 MB a language; masks and importances less. */
const MAX_FILE_BYTES = 2 ** 29; // 512 MiB
/** Its numbers lie in storages: a pickle of hundreds of tensors has 100 kB. */
const MAX_PICKLE_BYTES = 2 ** 25; // 32 MiB
/** Bytes of an entry of the central directory, without its name. */
const DIRECTORY_ENTRY_BYTES = 46;
/** Files that `torch.save` wrote before PyTorch 1.6 begin so: a pickle of this number, by protocol 2. */
const LEGACY_MAGIC = [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

/** The records of a `.pt` file: `data.pkl` and, by key, the bytes of each storage. */
export interface PytorchArchive {
  readonly pickle: Uint8Array;
  readonly storages: ReadonlyMap<string, Uint8Array>;
}

/**
 * Reads the zip file that `torch.save` has written since PyTorch 1.6: `{name}/data.pkl`, `{name}/data/{key}`,
 * `{name}/byteorder`, all stored without compression.
 *
 * @throws ImportError if it is no such file; of the older format with the way to mend it.
 */
export async function openArchive(path: string): Promise<PytorchArchive> {
  const bytes = await readWhole(path);
  if (LEGACY_MAGIC.every((byte, i) => bytes[i] === byte)) {
    throw new ImportError({
      what: 'the file is of the format that PyTorch wrote before version 1.6',
      where: path,
      expected: 'a zip file, as torch.save writes now',
      remedy: 'write it again in Python: torch.save(torch.load(f), f)',
    });
  }
  const records = unzip(bytes, path);
  const order = records.get('byteorder');
  if (order !== undefined && new TextDecoder().decode(order) !== 'little') {
    throw new ImportError({
      what: 'the numbers are stored in another byte order',
      where: path,
      expected: 'little',
      found: JSON.stringify(new TextDecoder().decode(order.subarray(0, 16))),
      remedy: 'write the file again on a little-endian machine',
    });
  }
  const pickle = records.get('data.pkl');
  if (pickle === undefined) {
    throw new ImportError({
      what: 'the zip file holds no data.pkl',
      where: path,
      found: [...records.keys()].slice(0, 5).join(', ') || 'nothing',
      remedy: 'give a file that torch.save wrote',
    });
  }
  if (pickle.byteLength > MAX_PICKLE_BYTES) {
    throw new ImportError({
      what: 'the file holds more than tensors',
      where: path,
      expected: `at most ${MAX_PICKLE_BYTES} bytes of data.pkl`,
      found: `${pickle.byteLength} bytes`,
      remedy: 'save lists of numbers as tensors',
    });
  }
  const storages = [...records].flatMap(([name, record]): [string, Uint8Array][] =>
    name.startsWith('data/') ? [[name.slice('data/'.length), record]] : [],
  );
  return { pickle, storages: new Map(storages) };
}

async function readWhole(path: string): Promise<Uint8Array> {
  try {
    return await readWholeFile(path, MAX_FILE_BYTES);
  } catch (cause) {
    throw new ImportError(
      {
        what: 'the file cannot be read',
        where: path,
        found: messageOf(cause),
        remedy: 'check that the file is there; save counts, masks or importances alone',
      },
      { cause },
    );
  }
}

/** Records by name: `archive/data/0` → `data/0`, for the first folder bears the name the file was saved under. */
function unzip(bytes: Uint8Array, path: string): Map<string, Uint8Array> {
  const sizes = new Map<string, number>();
  let total = 0;
  const unusable = (found: string, cause?: unknown) =>
    new ImportError(
      {
        what: 'the file is no zip file that torch.save wrote',
        where: path,
        found,
        remedy: 'check that the file is whole; write it again with torch.save',
      },
      { cause },
    );
  // Called for every entry, before anything of it is copied.
  const check = ({ name, size, compression }: UnzipFileInfo): boolean => {
    if (compression !== 0) throw unusable(`a compressed record, ${JSON.stringify(name)}`);
    if (sizes.has(name)) throw unusable(`two records of one name, ${JSON.stringify(name)}`);
    sizes.set(name, size);
    total += size + DIRECTORY_ENTRY_BYTES;
    if (!(total <= bytes.length)) throw unusable('records that together are larger than the file');
    return true;
  };
  let entries: Record<string, Uint8Array>;
  try {
    entries = unzipSync(bytes, { filter: check });
  } catch (cause) {
    if (cause instanceof ImportError) throw cause;
    throw unusable(cause instanceof Error ? cause.message : String(cause), cause);
  }
  const records = new Map<string, Uint8Array>();
  for (const [name, record] of Object.entries(entries)) {
    if (record.length !== sizes.get(name)) throw unusable(`a record cut short, ${JSON.stringify(name)}`);
    const within = name.slice(name.indexOf('/') + 1);
    if (records.has(within)) throw unusable(`two records of one name, ${JSON.stringify(within)}`);
    records.set(within, record);
  }
  return records;
}
