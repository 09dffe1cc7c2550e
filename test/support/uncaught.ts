import { config } from 'rxjs';

/**
 * Resolves with the next unhandled error of RxJS, such as one thrown by an observer.
 *
 * Without this call, such an error fails the running test.
 */
export function expectUncaught(): Promise<unknown> {
  return new Promise((resolve) => {
    config.onUnhandledError = (error: unknown) => {
      config.onUnhandledError = null;
      resolve(error);
    };
  });
}
