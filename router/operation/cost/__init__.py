"""What an operation costs by ``@cost`` and ``@listSize``, estimated before anything is fetched.

The numbers are those of IBM's GraphQL Cost Directives specification as the routers of Federation use it: one number, in
which a list counts as often as it may have members. A field costs ``size * (weight + what is selected below) +
arguments``. What has no ``@cost`` weighs 1 where it is an object, interface, union or input object, and 0 where it is a
scalar or an enum.
"""
