import { specsOf } from './specsOf.ts';

specsOf('both');
specsOf('EWS');
