import django.db.models.deletion
from django.db import migrations, models

TALLY = [
    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
    ('runs', models.PositiveIntegerField()),
    ('up', models.PositiveIntegerField()),
    ('down', models.PositiveIntegerField()),
    ('inconclusive', models.PositiveIntegerField()),
    ('expected', models.FloatField()),
    ('ms_sum', models.FloatField()),
    ('ms_min', models.FloatField(null=True)),
    ('ms_max', models.FloatField(null=True)),
]


class Migration(migrations.Migration):

    dependencies = [
        ('monitor', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='SiteHour',
            fields=[
                *((name, field.clone()) for name, field in TALLY),
                ('hour', models.DateTimeField()),
                ('site', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='hours', to='monitor.site')),
            ],
            options={
                'ordering': ('-hour',),
                'indexes': [models.Index(fields=['hour'], name='site_hour_by_hour')],
                'constraints': [models.UniqueConstraint(fields=('site', 'hour'), name='hour_once_for_a_site')],
            },
        ),
        migrations.CreateModel(
            name='SiteDay',
            fields=[
                *((name, field.clone()) for name, field in TALLY),
                ('day', models.DateField()),
                ('site', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='days', to='monitor.site')),
            ],
            options={
                'ordering': ('-day',),
                'indexes': [models.Index(fields=['day'], name='site_day_by_day')],
                'constraints': [models.UniqueConstraint(fields=('site', 'day'), name='day_once_for_a_site')],
            },
        ),
    ]
