import { asyncScheduler } from 'rxjs';

/** What the user of an application lets others see. */
export interface PublishedPresence {
  /** Starts it, as this. */
  signIn(availability: string): void;
  /** Says that the user is there. */
  report(): void;
  /** What others see by now; undefined until it is started. */
  readonly availability: string | undefined;
}

/** The documentation says that who does not report for four minutes gets a less available status. */
const ACTIVE_MINUTES = 4;

/** Creates what a new application publishes: nothing. @param minuteMs How long a minute of the server lasts. */
export function publishedPresence(minuteMs: number): PublishedPresence {
  let signedInAs: string | undefined;
  let activeAt = 0;
  const report = (): void => {
    activeAt = asyncScheduler.now();
  };
  return {
    report,
    signIn: (availability) => {
      signedInAs = availability;
      report();
    },
    get availability() {
      const isIdle = asyncScheduler.now() - activeAt > ACTIVE_MINUTES * minuteMs;
      return signedInAs !== undefined && isIdle ? 'Away' : signedInAs;
    },
  };
}
