import { defer, type Observable, switchMap } from 'rxjs';
import type { Checkpoint } from '../core/checkpoint.ts';
import { journal } from '../core/journal.ts';
import { type Course, newCourse } from './course.ts';
import type { EwsEvent } from './events.ts';
import { STREAM_JOURNAL } from './streamJournal.ts';
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
  return journal(STREAM_JOURNAL, checkpoint, ledger).pipe(
    switchMap((kept) => {
      const { watermark: reached, since } = kept.place;
      const course = newCourse((canResume ? reached : undefined) ?? watermark, kept);
      course.since = since === undefined ? undefined : new Date(since);
      if (kept.isContinued && course.watermark === undefined) course.gap = 'subscriptionLost';
      return follow(course);
    }),
  );
}
