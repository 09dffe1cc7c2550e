import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'microsoft-edge'];
const APPLICATIONS = ['Google Chrome', 'Chromium', 'Microsoft Edge'];

const MISSING = `test:browser needs a browser: Chromium, Chrome or Edge.
  Debian and Ubuntu: apt-get install chromium
  elsewhere:         https://www.chromium.org/getting-involved/download-chromium
  If it is not in PATH: CHROMIUM=/path/to/the/browser npm run test:browser`;

/** Returns the path of a browser. @throws Error that says how to install one */
export function browserPath(environment: NodeJS.ProcessEnv = process.env): string {
  const { CHROMIUM, PATH = '' } = environment;
  const inPath = PATH.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  const onMac = APPLICATIONS.map((name) => `/Applications/${name}.app/Contents/MacOS/${name}`);
  const found = CHROMIUM ?? [...inPath, ...onMac].find((path) => existsSync(path));
  if (found === undefined || !existsSync(found)) throw new Error(MISSING);
  return found;
}
