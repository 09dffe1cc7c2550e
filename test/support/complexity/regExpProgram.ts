import type { AST } from '@eslint-community/regexpp';

/** An instruction of a compiled pattern. */
export type Instruction =
  | { readonly op: 'character'; readonly matches: (character: string) => boolean }
  | { readonly op: 'assert'; readonly holds: (text: string, at: number) => boolean }
  | { readonly op: 'look'; readonly program: Program; readonly negate: boolean }
  | { readonly op: 'either'; first: number; second: number }
  | { readonly op: 'jump'; readonly to: number }
  /** Marks the start of an optional iteration, and fails an empty one. */
  | { readonly op: 'begin' | 'advance'; readonly slot: number };

/** The instructions of a pattern, which matches at the end of the list. */
export type Program = readonly Instruction[];

const LINE_TERMINATORS = '\n\r\u2028\u2029';

/**
 * Returns the program of a pattern, with alternatives in the order of the platform.
 *
 * @throws Error for an unsupported element
 */
export function compile(alternatives: readonly AST.Alternative[], flags: string): Program {
  const program: Instruction[] = [];
  let slots = 0;

  const emitAlternatives = ([first, ...others]: readonly AST.Alternative[]): void => {
    if (first === undefined) return;
    if (others.length === 0) {
      first.elements.forEach(emit);
      return;
    }
    emitEither(
      () => first.elements.forEach(emit),
      () => emitAlternatives(others),
    );
  };

  const emitEither = (emitFirst: () => void, emitSecond: () => void): void => {
    const either = { op: 'either' as const, first: program.length + 1, second: 0 };
    program.push(either);
    emitFirst();
    const end = { op: 'jump' as const, to: 0 };
    program.push(end);
    either.second = program.length;
    emitSecond();
    end.to = program.length;
  };

  /** Emits an optional element; a greedy quantifier tries it first. */
  const emitOptional = ({ element, greedy }: AST.Quantifier, emitRest: (begin: number) => void): void => {
    const begin = program.length;
    const either = { op: 'either' as const, first: 0, second: 0 };
    program.push(either);
    if (canBeEmpty(element)) {
      const slot = (slots += 1);
      program.push({ op: 'begin', slot });
      emit(element);
      program.push({ op: 'advance', slot });
    } else {
      emit(element);
    }
    emitRest(begin);
    either[greedy ? 'first' : 'second'] = begin + 1;
    either[greedy ? 'second' : 'first'] = program.length;
  };

  const emit = (element: AST.Element): void => {
    switch (element.type) {
      case 'Character':
      case 'CharacterClass':
      case 'CharacterSet':
        program.push({ op: 'character', matches: characterTest(element.raw, flags) });
        return;
      case 'CapturingGroup':
        emitAlternatives(element.alternatives);
        return;
      case 'Group':
        if (element.modifiers !== null) break;
        emitAlternatives(element.alternatives);
        return;
      case 'Quantifier': {
        for (let count = 0; count < element.min; count += 1) emit(element.element);
        const emitOthers = (left: number): void => {
          if (left > 0) emitOptional(element, () => emitOthers(left - 1));
        };
        if (element.max === Infinity) emitOptional(element, (to) => program.push({ op: 'jump', to }));
        else emitOthers(element.max - element.min);
        return;
      }
      case 'Assertion':
        if (element.kind === 'lookbehind') break;
        program.push(
          element.kind === 'lookahead'
            ? { op: 'look', program: compile(element.alternatives, flags), negate: element.negate }
            : { op: 'assert', holds: assertionTest(element, flags) },
        );
        return;
      default:
    }
    throw new Error(`the step counter does not support ${element.type} such as ${element.raw}`);
  };

  emitAlternatives(alternatives);
  return program;
}

function canBeEmpty(element: AST.Element): boolean {
  switch (element.type) {
    case 'CapturingGroup':
    case 'Group':
      return element.alternatives.some(({ elements }) => elements.every(canBeEmpty));
    case 'Quantifier':
      return element.min === 0 || canBeEmpty(element.element);
    default:
      return element.type === 'Assertion';
  }
}

/** Returns a test of characters for a class, which asks the platform once for each character. */
export function characterTest(raw: string, flags: string): (character: string) => boolean {
  const pattern = new RegExp(`^(?:${raw})$`, flags.replaceAll(/[gmy]/g, ''));
  const known = new Map<string, boolean>();
  return (character) => {
    const answer = known.get(character) ?? pattern.test(character);
    known.set(character, answer);
    return answer;
  };
}

function assertionTest(
  assertion: AST.EdgeAssertion | AST.WordBoundaryAssertion,
  flags: string,
): (text: string, at: number) => boolean {
  if (assertion.kind === 'word') {
    const isWord = characterTest('\\w', flags);
    return (text, at) => (isWord(text.charAt(at - 1)) !== isWord(text.charAt(at))) !== assertion.negate;
  }
  const before = assertion.kind === 'start' ? 1 : 0;
  return (text, at) => {
    const edge = assertion.kind === 'start' ? 0 : text.length;
    return at === edge || (flags.includes('m') && LINE_TERMINATORS.includes(text.charAt(at - before)));
  };
}
