/** @jsxImportSource solid-js */
import { renderToString } from 'solid-js/web';
import { App } from './App.tsx';

export const render = (): string => renderToString(() => <App />);
