import { defer, map, type Observable, of } from 'rxjs';
import type { Checkpoint } from './checkpoint.ts';
import { type Course, newCourse } from './course.ts';
import { journal } from './journal.ts';
import type { ServiceCore } from './serviceInternals.ts';

/** Where a stream begins. */
interface Beginning {
  readonly checkpoint: Checkpoint | undefined;
  /** Where to begin if the checkpoint says nothing. */
  readonly watermark: string | undefined;
}

/**
 * Returns an Observable that emits the course of a stream at its beginning: where the checkpoint says that the
 * last has come to. It stays open where there is a checkpoint, which is in use so long.
 */
export function startedCourse(
  { ledger }: ServiceCore,
  { checkpoint, watermark }: Beginning,
  canResume: boolean,
): Observable<Course> {
  if (checkpoint === undefined) return defer(() => of(newCourse(watermark)));
  return journal(checkpoint, ledger).pipe(
    map((kept) => {
      const course = newCourse((canResume ? kept.watermark : undefined) ?? watermark, kept);
      course.since = kept.since;
      if (kept.isContinued && course.watermark === undefined) course.gap = 'subscriptionLost';
      return course;
    }),
  );
}
