import { tap } from 'rxjs';
import type { ConnectionInput } from '../connectionStatus.ts';
import type { Middleware } from '../transport/transport.ts';

/** Distinguishes the errors of signing in from those of the server. */
interface SignInFailures {
  /** Signs as the given middleware does. */
  readonly sign: Middleware;
  /** Returns a failure with the reason `signIn` if no token could be had. */
  readonly named: (input: ConnectionInput) => ConnectionInput;
}

/** Returns a middleware that signs requests, and notes whether their last error was that of signing in. */
export function signInFailures(sign: Middleware): SignInFailures {
  let errorOfServer: unknown;
  let errorOfSigning: unknown;
  return {
    sign: (transport) => {
      const signed = sign((request) =>
        transport(request).pipe(tap({ error: (error: unknown) => (errorOfServer = error) })),
      );
      const note = (error: unknown): void => {
        if (error !== errorOfServer) errorOfSigning = error;
      };
      return (request) => signed(request).pipe(tap({ error: note }));
    },
    named: (input) =>
      input.type === 'failed' && input.error === errorOfSigning && input.reason !== 'network'
        ? { ...input, reason: 'signIn' }
        : input,
  };
}
