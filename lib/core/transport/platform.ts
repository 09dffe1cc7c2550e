import { readAnyBody, nodeSend } from './nodeFetch.ts';
import type { Send } from './send.ts';
import type { ReadBody } from './webBody.ts';

// Bundlers for browsers take ./browserPlatform.ts instead.

/** A channel on which loggers and tracers listen to all connections of a process. */
export interface DiagnosticsChannel {
  readonly hasSubscribers: boolean;
  publish(message: unknown): void;
}

/** Returns how requests are sent unless a fetch is given. */
export function defaultSend(): Send {
  return nodeSend();
}

/** Reads the body of a response of any fetch. */
export const readBody: ReadBody = readAnyBody;

/** Returns the channel of `node:diagnostics_channel` with this name, if the platform has any. */
export function diagnosticsChannel(name: string): DiagnosticsChannel | undefined {
  const { process } = globalThis as { readonly process?: Partial<Pick<NodeJS.Process, 'getBuiltinModule'>> };
  return process?.getBuiltinModule?.('node:diagnostics_channel').channel(name);
}
