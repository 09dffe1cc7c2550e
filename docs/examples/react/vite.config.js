import react from '@vitejs/plugin-react';
import { example } from '../vite.base.js';

export default example('react', react());
