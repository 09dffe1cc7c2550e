/** The events that a subscriber got. */
export interface Follower {
  /** The number of the last event. */
  readonly last: number;
  /** Counts the event of this number. */
  take(number: number): void;
  /** Counts a gap. */
  gap(): void;
}

/** The sums of all followers. */
export interface Tally {
  events: number;
  /** The number of gaps. */
  gaps: number;
  /** Events that were missed without a gap. */
  losses: number;
  /** Events that were emitted twice. */
  doubles: number;
  /** Events that were emitted after later ones. */
  disorders: number;
}

/** Returns an empty tally. */
export function newTally(): Tally {
  return { events: 0, gaps: 0, losses: 0, doubles: 0, disorders: 0 };
}

/** Checks numbered events from the first one: each is emitted once, in order, or replaced by a gap. */
export function follower(tally: Tally): Follower {
  const seen = new Set<number>();
  let last = 0;
  let isAfterGap = true;
  return {
    get last() {
      return last;
    },
    take: (number) => {
      tally.events += 1;
      if (seen.has(number)) tally.doubles += 1;
      else if (number < last) tally.disorders += 1;
      else if (!isAfterGap) tally.losses += number - last - 1;
      seen.add(number);
      last = Math.max(last, number);
      isAfterGap = false;
    },
    gap: () => {
      tally.gaps += 1;
      isAfterGap = true;
    },
  };
}
