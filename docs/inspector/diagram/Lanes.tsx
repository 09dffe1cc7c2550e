import type { JSX } from 'preact';
import type { Diagram } from './diagram.ts';
import { timeText } from './diagram.ts';
import { isReleasing, type Lane, type Mark } from '../view/lane.ts';
import { type Actions, type Choices, type Controls, counted, shortDetail } from '../ui.ts';
import type { View } from '../view/view.ts';

interface LanesProps {
  readonly view: View;
  readonly choices: Choices;
  readonly actions: Actions;
  readonly controls: Controls | undefined;
  readonly diagram: Diagram;
  readonly now: number;
}

/** The marble diagram: a lane per stream, and the axis. */
export function Lanes(props: LanesProps): JSX.Element {
  const { view, choices, actions, diagram, now } = props;
  const { window } = choices;
  const from = (window.until ?? now) - window.spanMs;
  const lanes = [...view.lanes.values()].filter((lane) => isVisible(lane, from));
  const hidden = view.lanes.size - lanes.length;
  return (
    <section class="lanes" aria-labelledby="rx-lanes">
      <div class="head">
        <h2 id="rx-lanes">Streams</h2>
        <TimeControls {...props} />
      </div>
      {lanes.length === 0 ? (
        <p class="empty">
          {view.lanes.size === 0
            ? 'No stream yet. Subscribe to one: its events appear here as marbles.'
            : 'No stream in this part of time.'}
        </p>
      ) : (
        <ol onPointerLeave={() => actions.choose({ shown: undefined })}>
          {lanes.map((lane) => (
            <LaneRow key={lane.stream} lane={lane} {...props} />
          ))}
        </ol>
      )}
      <canvas class="axis" aria-hidden="true" ref={(canvas) => diagram.attach(undefined, canvas)} />
      <p class="legend">
        <span class="key acquiring">creating</span>
        <span class="key created">created on the server</span>
        <span class="key live">subscribed</span>
        <span class="key releasing">the server still has it</span>
        <span class="key gap">gap: events are missing</span>
        {hidden > 0 && <span>{counted(hidden, 'ended stream')} further back</span>}
      </p>
      <EventTable {...props} lanes={lanes} />
    </section>
  );
}

function isVisible(lane: Lane, from: number): boolean {
  if (lane.end === undefined || isReleasing(lane)) return true;
  return Math.max(lane.releasedAt ?? 0, lane.endedAt ?? 0) >= from;
}

function TimeControls({ choices: { window }, actions }: LanesProps): JSX.Element {
  const isFollowing = window.until === undefined;
  return (
    <div class="time" role="group" aria-label="Time">
      <button aria-label="Back" title="Back (←)" onClick={() => actions.time('back')}>
        ←
      </button>
      <button
        class="wide"
        aria-keyshortcuts="Space"
        title={isFollowing ? 'Pause (space)' : 'Follow (space)'}
        onClick={() => actions.time(isFollowing ? 'pause' : 'follow')}
      >
        {isFollowing ? 'Pause' : 'Follow'}
      </button>
      <button
        aria-label="Forward"
        title="Forward (→)"
        disabled={isFollowing}
        onClick={() => actions.time('forward')}
      >
        →
      </button>
      <button aria-label="Show more time" title="More time (−)" onClick={() => actions.time('wider')}>
        −
      </button>
      <span class="span">{window.spanMs / 1000} s</span>
      <button aria-label="Show less time" title="Less time (+)" onClick={() => actions.time('narrower')}>
        +
      </button>
    </div>
  );
}

function LaneRow({
  lane,
  choices,
  actions,
  controls,
  diagram,
}: LanesProps & { readonly lane: Lane }): JSX.Element {
  const { stream } = lane;
  const { shown } = choices;
  const isOpen = shown?.stream === stream;
  return (
    <li class={lane.end === undefined ? 'lane' : 'lane ended'}>
      <div class="name">
        <strong>{lane.name}</strong>
        <span class="detail" title={lane.detail}>
          {lane.detail === '' ? stream : shortDetail(lane.detail)}
        </span>
      </div>
      <div
        class="track"
        tabIndex={0}
        role="group"
        aria-label={`${lane.name} ${lane.detail}: ${stateOf(lane)}, ${counted(lane.events, 'event')}. Arrow keys read them.`}
        onKeyDown={(event) => moveOn(event, lane, choices, actions)}
        onBlur={() => shown?.by === 'keys' && actions.choose({ shown: undefined })}
        onPointerMove={(event) => {
          const mark = diagram.markAt(stream, event.clientX);
          if (mark !== shown?.mark || !isOpen)
            actions.choose({ shown: mark === undefined ? undefined : { stream, mark, by: 'pointer' } });
        }}
        onWheel={(event) => {
          const pixels = event.shiftKey ? event.deltaY : event.deltaX;
          if (Math.abs(pixels) < 1) return;
          event.preventDefault();
          actions.time({ by: diagram.msOf(pixels) });
        }}
      >
        <canvas aria-hidden="true" ref={(canvas) => diagram.attach(stream, canvas)} />
        {isOpen && <Details mark={shown.mark} isLive={shown.by === 'keys'} />}
      </div>
      {controls?.commands.includes('unsubscribe') === true && lane.end === undefined ? (
        <button
          class="leave"
          aria-label={`Unsubscribe ${lane.name} ${lane.detail}`}
          onClick={() => actions.run({ do: 'unsubscribe', stream }, `Unsubscribed ${lane.name}.`)}
        >
          Unsubscribe
        </button>
      ) : (
        <span class={isReleasing(lane) ? 'state releasing' : 'state'}>{stateOf(lane)}</span>
      )}
    </li>
  );
}

function stateOf(lane: Lane): string {
  if (isReleasing(lane)) return 'releasing';
  if (lane.end === undefined) return lane.createdAt === undefined ? 'creating' : 'subscribed';
  return lane.releasedAt === undefined ? lane.end : 'released';
}

/** The left and right arrow keys go from mark to mark. */
function moveOn(event: KeyboardEvent, lane: Lane, { shown, window }: Choices, actions: Actions): void {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (event.key === 'Escape' && shown !== undefined) actions.choose({ shown: undefined });
  else if (step === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
  else {
    const { marks } = lane;
    const at = shown?.stream === lane.stream ? marks.indexOf(shown.mark) : marks.length;
    const mark = marks[Math.min(Math.max(at + step, 0), marks.length - 1)];
    if (mark === undefined) return;
    // The diagram stops, so that the mark does not leave it.
    if (window.until === undefined) actions.time('pause');
    actions.choose({ shown: { stream: lane.stream, mark, by: 'keys' } });
  }
  event.preventDefault();
  event.stopPropagation();
}

function Details({ mark, isLive }: { readonly mark: Mark; readonly isLive: boolean }): JSX.Element {
  const value = mark.value === undefined ? '' : JSON.stringify(mark.value, null, 1);
  return (
    <div class="details" role={isLive ? 'status' : undefined}>
      <p>
        <strong>{mark.label}</strong> <time>{timeText(mark.at, true)}</time>
      </p>
      {mark.text !== '' && mark.text !== mark.label && <p>{mark.text}</p>}
      {value.length > 2 && <pre>{value.length > 600 ? `${value.slice(0, 600)}…` : value}</pre>}
    </div>
  );
}

const MOST_ROWS = 100;

/** The same as text. It is no live region: a thousand events per second cannot be read aloud. */
function EventTable({
  choices,
  actions,
  lanes,
}: LanesProps & { readonly lanes: readonly Lane[] }): JSX.Element {
  const rows = !choices.isTableOpen
    ? []
    : lanes
        .flatMap((lane) => lane.marks.slice(-MOST_ROWS).map((mark) => ({ lane, mark })))
        .sort((one, other) => other.mark.at - one.mark.at)
        .slice(0, MOST_ROWS);
  return (
    <details
      class="events"
      open={choices.isTableOpen}
      onToggle={(event) => {
        if (event.currentTarget.open !== choices.isTableOpen)
          actions.choose({ isTableOpen: event.currentTarget.open });
      }}
    >
      <summary>The last {MOST_ROWS} events as a table</summary>
      {choices.isTableOpen && (
        <div class="scroll" tabIndex={0} role="region" aria-label="Events">
          <table>
            <thead>
              <tr>
                <th scope="col">Time</th>
                <th scope="col">Stream</th>
                <th scope="col">Event</th>
                <th scope="col">About</th>
              </tr>
            </thead>
            <tbody>
              {rows.map(({ lane, mark }, index) => (
                <tr key={index}>
                  <td class="mono">{timeText(mark.at, true)}</td>
                  <td>
                    {lane.name} <span class="quiet">{lane.stream}</span>
                  </td>
                  <td>{mark.label}</td>
                  <td>{mark.text}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}
