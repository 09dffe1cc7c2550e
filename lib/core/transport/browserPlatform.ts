import type * as platform from './platform.ts';
import { abortable } from './send.ts';

/** In place of ./platform.ts in bundles for browsers: the field `browser` of package.json says so. */
export const defaultSend: typeof platform.defaultSend = () => abortable((url, init) => fetch(url, init));

export const diagnosticsChannel: typeof platform.diagnosticsChannel = () => undefined;
