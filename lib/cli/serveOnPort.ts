import type { Transport } from '../core/transport/transport.ts';
import { serve, type Served, type ServeOptions } from '../testing/http/serve.ts';
import { UsageError } from './arguments.ts';

/** Serves a transport as {@link serve} does. Rejects with a UsageError if the port of `--port` is in use. */
export async function serveOnPort(
  transport: Transport,
  options: ServeOptions & { readonly port: number },
): Promise<Served> {
  try {
    return await serve(transport, options);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause;
    throw new UsageError(`--port ${options.port} is in use; choose another, or 0 for a free one`, { cause });
  }
}
