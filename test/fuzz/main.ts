// Runs each decoder with many inputs, and prints the results: --inputs N --seed N [--first N] [decoder…]
import { parseArgs } from 'node:util';
import { EWS_DECODER } from './ewsDecoder.ts';
import { fuzz, type FuzzReport } from './fuzz.ts';
import { MULTIPART_DECODER } from './multipartDecoder.ts';
import { UCWA_DECODER } from './ucwaDecoder.ts';

const { values, positionals } = parseArgs({
  options: {
    inputs: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
    first: { type: 'string', default: '0' },
  },
  allowPositionals: true,
});
const MOST_SHOWN = 10;

function print({ decoder, inputs, read, refused, characters, slowestMs, findings }: FuzzReport): void {
  const errors = [...refused].map(([tag, count]) => `${count} ${tag}`).join(', ');
  console.log(
    `${decoder}: ${inputs} inputs of ${Math.round(characters / inputs)} characters: ${read} read, ${errors};` +
      ` the slowest took ${Math.round(slowestMs)} ms; ${findings.length} findings`,
  );
  for (const { sample, input, problem, text } of findings.slice(0, MOST_SHOWN)) {
    console.log(
      `\n--first ${input} --inputs 1: ${sample}: ${problem.slice(0, 2_000)}\n${text.slice(0, 2_000)}\n`,
    );
  }
}

const decoders = [UCWA_DECODER, EWS_DECODER, MULTIPART_DECODER].filter(
  ({ name }) => positionals.length === 0 || positionals.includes(name),
);
const [inputs, seed, first] = [Number(values.inputs), Number(values.seed), Number(values.first)];
const reports = decoders.map((decoder) => {
  const report = fuzz(decoder, { inputs, seed, first });
  print(report);
  return report;
});
console.log(`memory: ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB at most`);
process.exitCode = reports.some(({ findings }) => findings.length > 0) ? 1 : 0;
