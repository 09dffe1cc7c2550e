// `npm run verify` loads this before the specs, in each mocha process.
process.env['THOROUGH'] = '1';
