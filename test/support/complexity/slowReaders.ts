import { type Reader, reader } from './reader.ts';

/** Readers that take more than linear time, each in another way: what finds slow readers must find these. */
export const SLOW_READERS: readonly Reader[] = [
  reader('a pattern that begins again at each line', (text) => /^--([^\r\n]*[^\s-])[ \t]*\r?$/m.exec(text)),
  reader('a pattern that begins again at each question mark', (text) =>
    text.replace(/([?&][^&=]*=)(?!\d{1,9}(?:&|$))[^&]*|([?&])[^&=]+(?=&|$)/g, '$1$2…'),
  ),
  reader('a rest that is searched to its end at each step', (text) => {
    for (let at = 0; at < text.length; at += 1) text.includes('no such text', at);
  }),
  reader('an array whose first is taken off', (text) => {
    const left = Array.from(text);
    while (left.length > 0) left.shift();
  }),
  reader('an array that is copied at each step', (text) => {
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
