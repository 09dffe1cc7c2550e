import { expect } from 'chai';
import { DecodeError } from '../../lib/core/errors.ts';
import { caseCount, SEED } from '../support/random/caseCount.ts';
import { EWS_DECODER } from './ewsDecoder.ts';
import { fuzz } from './fuzz.ts';
import { MULTIPART_DECODER } from './multipartDecoder.ts';
import type { Decoder } from './sample.ts';
import { UCWA_DECODER } from './ucwaDecoder.ts';

const INPUTS = caseCount(3000, 20_000);

describe('fuzzing', () => {
  for (const decoder of [UCWA_DECODER, EWS_DECODER, MULTIPART_DECODER]) {
    it(`causes only typed errors of bounded size in the decoder of ${decoder.name}`, () => {
      const { findings, read, refused } = fuzz(decoder, { inputs: INPUTS, seed: SEED });
      expect(findings.slice(0, 3)).to.deep.equal([]);
      // Inputs that are all valid, or all invalid at the first character, would test nothing.
      expect(read).to.be.within(INPUTS / 10, INPUTS - INPUTS / 50);
      expect(refused.get('DecodeError')).to.be.greaterThan(INPUTS / 50);
    });

    it(`uses samples that the decoder of ${decoder.name} reads or rejects`, () => {
      const always = {
        next: () => 0,
        below: () => 0,
        oneIn: () => false,
        pick: <T>([one]: readonly T[]) => one!,
      };
      const odd = decoder.samples.filter(({ text, read }) => {
        try {
          read(text, always);
          return false;
        } catch (error) {
          return error instanceof DecodeError && !text.includes('UnsubscribeResponse/');
        }
      });
      expect(odd.map(({ name }) => name)).to.deep.equal([]);
    });
  }

  describe('of a broken decoder', () => {
    const broken = (read: (text: string) => unknown): Decoder => ({
      name: 'broken',
      samples: [{ name: 'a word', text: '{"a":["b","c"]}', read }],
      wrappings: [['[', ']']],
      words: ['null'],
    });
    const problems = (decoder: Decoder, inputs = 200): string[] =>
      fuzz(decoder, { inputs, seed: SEED }).findings.map(({ problem }) => problem);

    it('finds an error of another type', () => {
      expect(problems(broken((text) => JSON.parse(text) as unknown)).join()).to.contain('SyntaxError');
    });

    it('finds output that is larger than the input', () => {
      expect(problems(broken((text) => text.repeat(5_000))).join()).to.match(
        /\d{5} came out of \d+ characters/,
      );
    });

    it('creates the same inputs only from the same seed', () => {
      const inputs = (chosen: number, first = 0): string[] => {
        const texts: string[] = [];
        fuzz(
          broken((text) => void texts.push(text)),
          { inputs: 50 - first, seed: chosen, first },
        );
        return texts;
      };
      expect(inputs(1)).to.deep.equal(inputs(1));
      expect(inputs(1, 40)).to.deep.equal(inputs(1).slice(40));
      expect(inputs(1)).not.to.deep.equal(inputs(2));
    });
  });
});
