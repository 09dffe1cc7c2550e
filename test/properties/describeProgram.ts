import type { Failure, Leaving, Program, Step, Upheaval, Visit } from './program.ts';

/** Describes a program in words: one line per step, in order. */
export function describeProgram({ protocol, settings, steps, ending }: Program): string {
  const given = Object.entries(settings).map(([name, value]) => `${name} ${String(value)}`);
  let visitors = 0;
  const recorded = steps
    .map((step) => ({ step, name: step.what === 'visit' ? `visitor ${++visitors}` : '' }))
    .sort((one, other) => one.step.at - other.step.at)
    .map(({ step, name }) => `at ${step.at} ms: ${lineOf(step, name)}`);
  const end = ending === 'close' ? 'in the end the connection is closed' : 'in the end all unsubscribe';
  return [`${protocol}, with ${given.join(', ')}`, ...recorded, end].join('\n');
}

function lineOf(step: Step, name: string): string {
  switch (step.what) {
    case 'visit':
      return `${name} subscribes to ${sourceOf(step)}, ${leavingOf(step)}`;
    case 'event':
      return `something happens at every place${step.count === 1 ? '' : `, ${step.count} times`}`;
    case 'failure':
      return failureOf(step);
    case 'upheaval':
      return upheavalOf(step);
    case 'misleading':
      return `the next answer to ${step.on} leads to another origin`;
    case 'leap':
      return `the machine sleeps for ${step.ms} ms`;
    case 'drain':
      return `drain(${step.timeoutMs === undefined ? '' : `{ timeoutMs: ${step.timeoutMs} }`})`;
    case 'close':
      return `close(${step.timeoutMs === undefined ? '' : `{ timeoutMs: ${step.timeoutMs} }`})`;
  }
}

function sourceOf({ to, place, sharing }: Visit): string {
  const shared = { own: '', graced: ', shared with a grace time', share: ', through share()' }[sharing];
  return `${to}${to === 'events' || to === 'batches' || to === 'contacts' ? '' : ` of place ${place}`}${shared}`;
}

function leavingOf({ leaving, retries, provokes }: Visit): string {
  const again = retries === 0 ? '' : `subscribes again up to ${retries} times after an error, `;
  const acting = provokes === 0 ? '' : `makes something happen with value ${provokes}, `;
  return again + acting + WAYS[leaving.how](leaving);
}

const WAYS: Readonly<Record<Leaving['how'], (leaving: Leaving) => string>> = {
  unsubscribe: (leaving) => `and unsubscribes after ${'afterMs' in leaving ? leaving.afterMs : 0} ms`,
  switchMap: (leaving) =>
    `and by switchMap again after ${'afterMs' in leaving ? leaving.afterMs : 0} ms, and away after as long`,
  take: (leaving) => `and takes ${'events' in leaving ? leaving.events : 0}`,
  operatorThrows: (leaving) => `and an operator throws at event ${'events' in leaving ? leaving.events : 0}`,
  observerThrows: (leaving) => `and its observer throws at event ${'events' in leaving ? leaving.events : 0}`,
  stays: () => 'and stays',
};

function failureOf({ on, how, count }: Failure): string {
  const which =
    count === 1
      ? `the next ${on === 'any request' ? 'request' : on}`
      : `the next ${count} of ${on === 'any request' ? 'all requests' : on}`;
  if (how === 'reset') return `${which}: the connection breaks before the server acts`;
  if (how === 'resetAfterActing') return `${which}: the answer is lost after the server acted`;
  if ('status' in how)
    return `${which}: answered ${how.status}${how.body === undefined ? '' : ` with ${how.body}`}`;
  if ('arrivesAfterMs' in how)
    return `${which}: the connection breaks, and the server gets it ${how.arrivesAfterMs} ms later`;
  if ('arrivalDelayMs' in how)
    return `${which}: the server gets it ${how.arrivalDelayMs} ms later, aborted or not`;
  if ('delayMs' in how) return `${which}: the answer takes ${how.delayMs} ms longer`;
  if ('truncateAfterBytes' in how)
    return `${which}: the answer breaks off after ${how.truncateAfterBytes} bytes`;
  return `${which}: refused with ${'error' in how ? how.error : `the fault ${how.fault}`}`;
}

function upheavalOf({ how }: Upheaval): string {
  if (typeof how === 'string') return `on the server ${how}`;
  return 'stallMs' in how
    ? `what is on its way is held up for ${how.stallMs} ms`
    : `on the server the streams end (${how.streamsEnd})`;
}
