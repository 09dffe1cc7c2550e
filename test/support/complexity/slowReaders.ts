import { type Reader, reader } from './reader.ts';

/** Readers that take more than linear time, each for another reason, which the check must find. */
export const SLOW_READERS: readonly Reader[] = [
  reader('a pattern that restarts at each line', (text) => /^--([^\r\n]*[^\s-])[ \t]*\r?$/m.exec(text)),
  reader('a pattern that restarts at each question mark', (text) =>
    text.replace(/([?&][^&=]*=)(?!\d{1,9}(?:&|$))[^&]*|([?&])[^&=]+(?=&|$)/g, '$1$2…'),
  ),
  reader('a search to the end at each step', (text) => {
    for (let at = 0; at < text.length; at += 1) text.includes('no such text', at);
  }),
  reader('an array whose first element is removed', (text) => {
    const left = Array.from(text);
    while (left.length > 0) left.shift();
  }),
  reader('a copy of an array at each step', (text) => {
    let copy: string[] = [];
    for (const character of text) copy = [...copy, character];
    return copy;
  }),
  reader('a loop in a loop', (text) => {
    let sum = 0;
    for (let one = 0; one < text.length; one += 1) for (let two = 0; two < one; two += 1) sum += 1;
    return sum;
  }),
];
