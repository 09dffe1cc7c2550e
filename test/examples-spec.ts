import { expect } from 'chai';
import { collectExamples, compileExamples, type Example, runExample } from './support/docs/examples.ts';

describe('The examples of README, docs and doc comments', function () {
  this.timeout(300_000);
  const examples = collectExamples();
  let problems = new Map<string, string[]>();
  let outputs: readonly Output[] = [];

  before(async () => {
    problems = compileExamples(examples);
    outputs = await twoAtATime(examples);
  });

  for (const [index, { where, prints, file }] of examples.entries()) {
    it(`compile, run, and print the documented output: ${where}`, () => {
      expect(problems.get(file)).to.deep.equal([]);
      const output = outputs[index]!;
      if (output.status === 'rejected') throw output.reason as Error;
      expect(output.value).to.deep.equal(prints);
    });
  }
});

type Output = PromiseSettledResult<string[]>;

async function twoAtATime(examples: readonly Example[]): Promise<Output[]> {
  const outputs: Output[] = [];
  const queue = examples.entries();
  const worker = async (): Promise<void> => {
    for (const [index, example] of queue) {
      outputs[index] = await runExample(example).then(
        (value): Output => ({ status: 'fulfilled', value }),
        (reason: unknown): Output => ({ status: 'rejected', reason }),
      );
    }
  };
  await Promise.all([worker(), worker()]);
  return outputs;
}
