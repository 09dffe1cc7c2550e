import { expect } from 'chai';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Observable } from 'rxjs';
import { inVirtualTime, type RunHelpers } from '../virtualTime.ts';
import { type Diagram, draw } from './drawing.ts';
import { type Recorder, recorder, type TextOf } from './recording.ts';

const FOLDER = join(import.meta.dirname, '../../../docs/marbles');
/** Whether pictures are written in place of compared: `npm run marbles`. */
const WRITES = process.env['MARBLES'] === 'write';

/** Virtual time, in which sources are recorded. */
export interface DiagramHelpers extends RunHelpers {
  readonly record: Recorder['record'];
}

/**
 * Specifies that the picture `docs/marbles/NAME.svg` shows what an operator emits in virtual time.
 *
 * @param call The call in the picture, such as `ofType('added')`.
 * @param result Returns the result of the operator. Its recorded sources are lanes of the picture, too.
 * @param textOf Returns the text of a result.
 */
export function marbleDiagram<Value>(
  name: string,
  call: string,
  result: (helpers: DiagramHelpers) => Observable<Value>,
  textOf: TextOf<Value>,
): void {
  it(`emits what docs/marbles/${name}.svg shows`, () => {
    const { lanes, record } = recorder();
    inVirtualTime((helpers) => {
      record('result', result({ ...helpers, record }), textOf).subscribe({ error: () => undefined });
      helpers.flush();
    });
    const [last, ...sources] = lanes();
    expectPicture(name, { call, above: sources, below: [last!] });
  });
}

/** Asserts that the picture `docs/marbles/NAME.svg` is that of a diagram. */
export function expectPicture(name: string, diagram: Diagram): void {
  const svg = draw(diagram);
  const file = join(FOLDER, `${name}.svg`);
  if (WRITES) {
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(file, svg);
  }
  const shown = existsSync(file) ? readFileSync(file, 'utf8') : '';
  expect(shown === svg, 'the picture is out of date: run `npm run marbles`').to.equal(true);
}
