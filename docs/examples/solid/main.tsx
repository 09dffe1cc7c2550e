/** @jsxImportSource solid-js */
import { render } from 'solid-js/web';
import '../shared/style.css';
import { App } from './App.tsx';

render(() => <App />, document.querySelector('#app')!);
