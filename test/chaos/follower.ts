/** What a subscriber was told of what happened. */
export interface Follower {
  /** The number of the last event that came. */
  readonly last: number;
  /** The event of this number came. */
  take(number: number): void;
  /** Something was lost here, or may have been, and is told. */
  gap(): void;
}

/** What all followers have noticed. */
export interface Tally {
  events: number;
  /** How often something lost was told. */
  gaps: number;
  /** Events that never came, and nobody told. */
  losses: number;
  /** Events that came twice. */
  doubles: number;
  /** Events that came after later ones. */
  disorders: number;
}

/** A tally of nothing. */
export function newTally(): Tally {
  return { events: 0, gaps: 0, losses: 0, doubles: 0, disorders: 0 };
}

/** Follows numbered events from the first that comes: each is to come once, in order, or behind a gap. */
export function follower(tally: Tally): Follower {
  const seen = new Set<number>();
  let last = 0;
  let isBehindGap = true;
  return {
    get last() {
      return last;
    },
    take: (number) => {
      tally.events += 1;
      if (seen.has(number)) tally.doubles += 1;
      else if (number < last) tally.disorders += 1;
      else if (!isBehindGap) tally.losses += number - last - 1;
      seen.add(number);
      last = Math.max(last, number);
      isBehindGap = false;
    },
    gap: () => {
      tally.gaps += 1;
      isBehindGap = true;
    },
  };
}
