import { defer, type Observable, switchMap } from 'rxjs';
import type { Checkpoint } from './checkpoint.ts';
import { type Course, newCourse } from './course.ts';
import type { EwsEvent } from './events.ts';
import { journal } from './journal.ts';
import type { ServiceCore } from './serviceInternals.ts';

/** Where a stream begins. */
interface Beginning {
  readonly checkpoint: Checkpoint | undefined;
  /** Where to begin if the checkpoint says nothing. */
  readonly watermark: string | undefined;
}

/**
 * Returns an Observable that mirrors what `follow` makes of the course of a stream at its beginning: where the
 * checkpoint says that the last has come to. Where there is a checkpoint, it is in use so long.
 */
export function startedCourse(
  { ledger }: ServiceCore,
  { checkpoint, watermark }: Beginning,
  canResume: boolean,
  follow: (course: Course) => Observable<EwsEvent>,
): Observable<EwsEvent> {
  if (checkpoint === undefined) return defer(() => follow(newCourse(watermark)));
  return journal(checkpoint, ledger).pipe(
    switchMap((kept) => {
      const course = newCourse((canResume ? kept.watermark : undefined) ?? watermark, kept);
      course.since = kept.since;
      if (kept.isContinued && course.watermark === undefined) course.gap = 'subscriptionLost';
      return follow(course);
    }),
  );
}
