/** Checkpoints cannot be read, must not be trusted, or cannot be written. */
export class CheckpointError extends Error {
  readonly _tag = 'CheckpointError';
  override readonly name: string = 'CheckpointError';
  /**
   * - `corrupt`: what is there is not what was saved, or not all of it.
   * - `unreadable`, `unwritable`: the system refuses it; `cause` says why.
   */
  readonly problem: 'corrupt' | 'unreadable' | 'unwritable';
  /** The file that they are in. */
  readonly path: string;

  constructor(problem: CheckpointError['problem'], path: string, cause?: unknown) {
    super(
      problem === 'corrupt'
        ? `The checkpoints in ${path} are torn or damaged, and are not used. Move the file away to start afresh.`
        : `The checkpoints in ${path} cannot be ${problem === 'unreadable' ? 'read' : 'written'}: see the cause.`,
      { cause },
    );
    this.problem = problem;
    this.path = path;
  }
}
