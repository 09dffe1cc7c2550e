import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const THEME = readFileSync(join(import.meta.dirname, '../../../docs/theme.css'), 'utf8');

/** The colours of docs/theme.css, by name. */
const COLOURS = new Map(
  [...THEME.matchAll(/--([\w-]+): light-dark\((#\w+), (#\w+)\)/g)].map(
    ([, name = '', light = '', dark = '']) => [name, { light, dark }],
  ),
);

function rules(scheme: 'light' | 'dark'): string {
  const colour = (name: string): string => {
    const found = COLOURS.get(name);
    if (found === undefined) throw new Error(`docs/theme.css has no colour --${name} in light and dark`);
    return found[scheme];
  };
  return [
    `text{fill:${colour('ink')}}.label{fill:${colour('quiet')}}.line{stroke:${colour('stroke')}}`,
    `.end{stroke:${colour('ink')}}.error{stroke:${colour('error')}}`,
    `.box{fill:${colour('box')};stroke:${colour('stroke')}}`,
    ...[0, 1, 2, 3, 4, 5].map(
      (index) => `.c${index}{fill:${colour(`marble-${index}`)};stroke:${colour(`outline-${index}`)}}`,
    ),
  ].join('');
}

/** The style of a diagram, in light and dark. */
export const STYLE: string = [
  'text{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;text-anchor:middle}',
  '.label{text-anchor:start;font-family:system-ui,sans-serif}.call{font-size:14px;font-weight:600}',
  '.line,.end,.error{fill:none;stroke-width:2}.end{stroke-width:3}.error{stroke-width:3}',
  rules('light'),
  `@media(prefers-color-scheme:dark){${rules('dark')}}`,
].join('');
