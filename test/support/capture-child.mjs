// Captures in a process of its own, which a test kills. Arguments: options as JSON, file size limit aside.
import { capture } from '../../dist/capture/index.js';

const options = JSON.parse(process.argv[2]);
let chunk = -1;
try {
  await capture({
    ...options,
    onProgress: (progress) => {
      if (progress.chunk === chunk) return;
      chunk = progress.chunk;
      console.log(`chunk ${chunk}`);
    },
  });
} catch (error) {
  console.error(error.message);
  process.exit(error.exitCode ?? 1);
}
