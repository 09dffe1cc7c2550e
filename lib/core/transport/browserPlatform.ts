import type * as platform from './platform.ts';
import { abortable } from './send.ts';
import { readWebBody } from './webBody.ts';

// Replaces ./platform.ts in bundles for browsers, by the field `browser` of package.json.

export const defaultSend: typeof platform.defaultSend = () => abortable((url, init) => fetch(url, init));

export const readBody: typeof platform.readBody = readWebBody;

export const diagnosticsChannel: typeof platform.diagnosticsChannel = () => undefined;
