import { excerpt } from '../core/text.ts';

/** How many characters of the path the message has. */
const LONGEST_PATH = 300;

/** Checkpoints cannot be read, must not be trusted, or cannot be written. */
export class CheckpointError extends Error {
  readonly _tag = 'CheckpointError';
  override readonly name: string = 'CheckpointError';
  /**
   * - `corrupt`: the file is not what was saved, or not all of it.
   * - `unsafe`: another user could have written the file, or can read it; the message says what to do.
   * - `unreadable`, `unwritable`: the system refuses it; `cause` says why.
   */
  readonly problem: 'corrupt' | 'unsafe' | 'unreadable' | 'unwritable';
  /** The file that the checkpoints are in. */
  readonly path: string;

  constructor(
    problem: CheckpointError['problem'],
    path: string,
    options: {
      readonly cause?: unknown;
      /** Why the file is unsafe, and what to do. */
      readonly reason?: string;
    } = {},
  ) {
    super(messageFor(problem, excerpt(path, LONGEST_PATH), options.reason), { cause: options.cause });
    this.problem = problem;
    this.path = path;
  }
}

function messageFor(problem: CheckpointError['problem'], path: string, reason = 'it is not safe'): string {
  switch (problem) {
    case 'corrupt':
      return `The checkpoints in ${path} are torn or damaged, and are not used. Move the file away to start afresh.`;
    case 'unsafe':
      return `The checkpoints in ${path} are not used: ${reason}. Or move the file away to start afresh.`;
    default:
      return `The checkpoints in ${path} cannot be ${problem === 'unreadable' ? 'read' : 'written'}: see the cause.`;
  }
}
