import { excerpt } from '../core/text.ts';

/** The most characters of the path in the message. */
const LONGEST_PATH = 300;

/** A file with checkpoints cannot be read, trusted or written. */
export class CheckpointError extends Error {
  readonly _tag = 'CheckpointError';
  override readonly name: string = 'CheckpointError';
  /**
   * - `corrupt`: the content differs from the saved one.
   * - `unsafe`: another user could have written the file, or can read it. The message has advice.
   * - `unreadable`, `unwritable`: the system refuses the access; see `cause`.
   */
  readonly problem: 'corrupt' | 'unsafe' | 'unreadable' | 'unwritable';
  /** The path of the file. */
  readonly path: string;

  constructor(
    problem: CheckpointError['problem'],
    path: string,
    options: {
      readonly cause?: unknown;
      /** Why the file is unsafe, and advice. */
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
