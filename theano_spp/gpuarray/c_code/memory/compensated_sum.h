#section device_code
/* Compensated summation: adds a value to a sum, and the rounding error of that addition to `error` (TwoSum, Knuth). */
WITHIN_KERNEL void spp_add_compensated(ga_double *sum, ga_double *error, ga_double value)
{
    const ga_double more = *sum + value, kept = more - *sum;
    *error += (*sum - (more - kept)) + (value - kept);
    *sum = more;
}

WITHIN_KERNEL ga_double spp_total(ga_double sum, ga_double error)
{
    return error == error ? sum + error : sum;  /* the error of an infinite sum is NaN */
}
