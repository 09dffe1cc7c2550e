import { specsOf } from './specsOf.ts';

specsOf('UCWA');
