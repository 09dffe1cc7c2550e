import vue from '@vitejs/plugin-vue';
import { example } from '../vite.base.js';

export default example('vue', vue());
