import { join } from 'node:path';

export default {
  distDir: 'dist',
  // The components of the React example, and rxchange itself, are outside of this folder.
  experimental: { externalDir: true },
  outputFileTracingRoot: join(import.meta.dirname, '../../..'),
};
