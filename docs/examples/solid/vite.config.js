import solid from 'vite-plugin-solid';
import { example } from '../vite.base.js';

export default example('solid', solid());
