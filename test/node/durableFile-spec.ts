import { expect } from 'chai';
import { CheckpointError } from '../../lib/node/durableFile.ts';

describe('CheckpointError', () => {
  it('names the file', () => {
    expect(new CheckpointError('corrupt', '/home/sara/mail')).to.include({
      path: '/home/sara/mail',
      message:
        'The checkpoints in /home/sara/mail are torn or damaged, and are not used. Move the file away to start afresh.',
    });
  });

  for (const problem of ['corrupt', 'unsafe', 'unreadable', 'unwritable'] as const) {
    it(`has a printable and short message for ${problem}`, () => {
      const { message } = new CheckpointError(problem, `/a\u001b[2J\u202e${'x'.repeat(5000)}`);
      expect(message).to.match(/ in \/a\ufffd\[2J\ufffdx+… /);
      expect(message.length).to.be.below(500);
    });
  }
});
