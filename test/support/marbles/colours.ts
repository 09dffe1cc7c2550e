/** Light and dark: the page, its ink, lines and boxes, then six marbles and their outlines. */
const LIGHT = {
  ink: '#1c2430',
  quiet: '#5b6675',
  line: '#8a94a3',
  box: '#f2f4f8',
  error: '#c02636',
  marbles: ['#d7e8ff', '#d6f3e0', '#ffe9c2', '#fbdbe4', '#e6defd', '#d3f1f4'],
  outlines: ['#2f6fd0', '#1f8a4c', '#b07400', '#c23a68', '#7350d8', '#137f8c'],
};
const DARK = {
  ink: '#e8ecf2',
  quiet: '#9aa6b6',
  line: '#768296',
  box: '#1e2530',
  error: '#ff7b86',
  marbles: ['#17365f', '#123d27', '#4a3407', '#4d1c2e', '#33255f', '#0c3d44'],
  outlines: ['#6ea8ff', '#53c587', '#e0a93a', '#f0789c', '#a78bfa', '#4cc3d0'],
};

function rules({ ink, quiet, line, box, error, marbles, outlines }: typeof LIGHT): string {
  return [
    `text{fill:${ink}}.label{fill:${quiet}}.line,.end{stroke:${line}}.end{stroke:${ink}}`,
    `.box{fill:${box};stroke:${line}}.error{stroke:${error}}`,
    ...marbles.map((fill, index) => `.c${index}{fill:${fill};stroke:${outlines[index]}}`),
  ].join('');
}

/** The style of a diagram, in light and dark. */
export const STYLE: string = [
  'text{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;text-anchor:middle}',
  '.label{text-anchor:start;font-family:system-ui,sans-serif}.call{font-size:14px;font-weight:600}',
  '.line,.end,.error{fill:none;stroke-width:2}.end{stroke-width:3}.error{stroke-width:3}',
  rules(LIGHT),
  `@media(prefers-color-scheme:dark){${rules(DARK)}}`,
].join('');
